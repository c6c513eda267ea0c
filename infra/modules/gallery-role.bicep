// What the app may do with galleries: what its code does, and nothing else. Not to be found here: delete, and write of
// anything but image versions. tests/infra compares the actions with the calls that the code makes.
targetScope = 'subscription'

@description('Last part of the name: names of roles are unique in a tenant.')
param suffix string

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, suffix, 'gallery')
  properties: {
    roleName: 'Gallery Fanout galleries ${suffix} ${subscription().subscriptionId}'
    description: 'Reads galleries and their images, writes image versions, deletes nothing.'
    type: 'CustomRole'
    assignableScopes: [
      subscription().id
    ]
    permissions: [
      {
        actions: [
          'Microsoft.Compute/galleries/read'
          'Microsoft.Compute/galleries/images/read'
          'Microsoft.Compute/galleries/images/versions/read'
          'Microsoft.Compute/galleries/images/versions/write'
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
