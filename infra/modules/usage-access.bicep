// What is in use stays (PROTECT_IN_USE), and Resource Graph shows only what the identity may read: scale sets, their
// instances, and virtual machines, which the instances of flexible scale sets are. For each subscription that is looked
// at. Without it the app would see nobody use anything: this is the one role that pruning must not be without.
targetScope = 'subscription'

@description('Last part of the name: names of roles are unique in a tenant.')
param suffix string

@description('Object id of the identity of the app.')
param appPrincipalId string

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, suffix, 'usage')
  properties: {
    roleName: 'Gallery Fanout usage ${suffix} ${subscription().subscriptionId}'
    description: 'Sees which machines and scale sets are made from which image version.'
    type: 'CustomRole'
    assignableScopes: [
      subscription().id
    ]
    permissions: [
      {
        actions: [
          'Microsoft.ResourceGraph/resources/read'
          'Microsoft.Resources/subscriptions/read'
          'Microsoft.Compute/virtualMachines/read'
          'Microsoft.Compute/virtualMachineScaleSets/read'
          'Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read'
        ]
        notActions: []
        dataActions: []
        notDataActions: []
      }
    ]
  }
}

resource access 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, appPrincipalId, role.id)
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: role.id
  }
}
