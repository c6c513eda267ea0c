// A write names the disk encryption sets of an encrypted version, and Azure asks whether the writer may read them.
targetScope = 'subscription'

@description('Last part of the name: names of roles are unique in a tenant.')
param suffix string

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, suffix, 'encryption')
  properties: {
    roleName: 'Gallery Fanout encryption sets ${suffix} ${subscription().subscriptionId}'
    description: 'Names disk encryption sets in image versions.'
    type: 'CustomRole'
    assignableScopes: [
      subscription().id
    ]
    permissions: [
      {
        actions: [
          'Microsoft.Compute/diskEncryptionSets/read'
        ]
        notActions: []
        dataActions: []
        notDataActions: []
      }
    ]
  }
}

@description('Resource id of the role.')
output id string = role.id
