// What the app runs on: Flex Consumption, which costs nothing while nothing happens.

@description('Region of the plan; Flex Consumption is not in all of them.')
param location string

@description('Tags of the plan.')
param tags object

@description('Last part of the name.')
param suffix string

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: 'plan-gallery-fanout-${suffix}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    tier: 'FlexConsumption'
    name: 'FC1'
  }
  properties: {
    reserved: true
  }
}

@description('Resource id of the plan.')
output id string = plan.id
